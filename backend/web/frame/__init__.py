"""The frame of the admin's app: who is signed in, what stands around each page, its texts and its files."""
