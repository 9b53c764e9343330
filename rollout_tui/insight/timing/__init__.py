"""Where the time of a run went: what agents did, who waited for whom, what the end had to wait for."""
