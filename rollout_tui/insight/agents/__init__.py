"""Agents: what each was asked, who told whom, what was delivered, who waited for whom."""
