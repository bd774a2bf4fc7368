"""The browser half of the wire: `page/` is the source of the call page, `dist/` what is served."""
