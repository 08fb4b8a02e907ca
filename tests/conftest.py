import os

from tfake.gpus import JOBS_PER_GPU

# With one GPU, a test that has used it in this process keeps it; jobs that later tests start must not wait.
os.environ[JOBS_PER_GPU] = "100"
