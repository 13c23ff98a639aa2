"""Which pixels of an image, or columns of a row, carry an answer: functions of arrays, whatever has learned."""
