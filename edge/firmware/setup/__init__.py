"""A node that is not enrolled yet: its own access point with a form, and its enrolment with a one-time code."""
