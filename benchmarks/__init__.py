"""Measurements that take longer than tests may; see README.md."""
