"""A made-up secret of each form."""

from __future__ import annotations

SECRETS = {
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAK8f3\nq1Yz9w==\n-----END RSA PRIVATE KEY-----",
    "authorization header": "Authorization: Basic dXNlcjpwYXNzd29yZA==",
    "bearer token": "Bearer abcdef0123456789.ghijkl",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLWhlcmU",
    "OpenAI key": "sk-proj-abcdefghijklmnopqrstuv",
    "GitHub token": "ghp_abcdefghijklmnopqrstuvwxyz012345",
    "GitLab token": "glpat-abcdefghij0123456789",
    "AWS key": "AKIAIOSFODNN7EXAMPLE",
    "Google key": "AIzaSyA-abcdefghijklmnopqrstuvwxyz0123",
    "Slack token": "xoxb-123456789012-abcdefghijkl",
    "other token": "npm_abcdefghijklmnopqrstuvwxyz0123456789",
    "password in an address": "postgres://admin:correct-horse@",
    "assigned secret": "DB_PASSWORD=correct-horse-battery",
    "random letters": "Zk3vT9qLw0Xr7Bn2Jm5HpQ8s",
}
"""By the form that tells it."""

INSIDE = {"private key": "q1Yz", "password in an address": "horse"}
"""A part of it, where a secret does not end with one, that can be of any length."""
