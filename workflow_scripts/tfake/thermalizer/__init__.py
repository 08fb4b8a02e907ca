"""RGB faces to thermal faces in degrees Celsius: the network, its three loss terms, training and inference."""
