"""Work of ingest that takes several rounds."""
