"""Networks that find landmarks in thermal images, and how images reach them."""
