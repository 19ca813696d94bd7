"""Charts as Vega-Lite specifications, with the theme and the JavaScript that draw them, and maps as SVG."""
