"""One line for functions and for applications: what they tell, and what they never cost."""
