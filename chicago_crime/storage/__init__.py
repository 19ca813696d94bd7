"""Object store, warehouse and Spark runner: the interfaces, and one implementation per deployment."""
