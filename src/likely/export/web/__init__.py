"""A model of images as one HTML page that answers in the browser, offline."""
