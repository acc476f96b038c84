"""One HTML file with everything an audit or a training's log found, for people who will never open TensorBoard.

`page` makes the file and knows nothing of where the content comes from; `images` holds the pictures within a bounded
size; `from_audit` and `from_log` gather the content. The script in the file is the page's own drawing code, built from
`tensorboard/frontend/src/report`. May import the modules beside it, `tensorboard`, numpy and Pillow. Never Keras.
"""

__all__: list[str] = []
