"""The ways in and out of the platform for people and programs: web pages, REST, command line."""
