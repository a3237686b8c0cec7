"""The cluster of docker-compose.yml under load, while one container after another is killed."""
