"""What everything runs on: database, tenancy, security, jobs, events and the plugin host."""
