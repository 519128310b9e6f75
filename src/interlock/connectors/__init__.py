"""One file (or folder) per system, each exporting one value: `CONNECTOR`."""
