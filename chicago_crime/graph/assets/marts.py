"""Marts: small tables that dashboards read. (`hot_spots` is one too; the Spark job makes it.)"""

from chicago_crime.graph.assets.sql_table import sql_table
from chicago_crime.tables import AREA_RATES, CRIMES_BY_CELL, CRIMES_HOURLY, CRIMES_MONTHLY

crimes_monthly = sql_table(CRIMES_MONTHLY, group="marts")
crimes_hourly = sql_table(CRIMES_HOURLY, group="marts")
crimes_by_cell = sql_table(CRIMES_BY_CELL, group="marts")
area_rates = sql_table(AREA_RATES, group="marts")
