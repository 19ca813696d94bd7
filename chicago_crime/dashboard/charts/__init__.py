"""Charts and maps as Vega-Lite specifications, with the theme and the JavaScript bundle they share."""
