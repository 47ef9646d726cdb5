"""Tasks from elsewhere and for elsewhere: files of our own, crontabs, and job stores of APScheduler 3, as configs."""
