"""The socket that plugins plug into: manifests, hooks, life cycle, configuration, isolation and outgoing HTTP."""
