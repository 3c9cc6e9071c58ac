# What is the case anyway.
U = 0
UNICODE = 0
