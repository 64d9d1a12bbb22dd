# SPDX-License-Identifier: BSD-2-Clause
"""Osmosis from outside: describe a cluster, run it, check it, draw it."""
