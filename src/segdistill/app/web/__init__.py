"""The page itself: everything that knows gradio."""
