"""The files of the live page: one HTML file, CSS, ES modules. No build step; the folder is served as it is."""
