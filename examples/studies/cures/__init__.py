"""The study of cures; run the folder."""
