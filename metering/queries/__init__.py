"""Reading what metering keeps."""
