"""Sales channels: shops, inbound documents, cursors, intake and push receipts."""
