"""Pages for accounts and access: sign-in, account, members, roles, tokens, audit trail."""
