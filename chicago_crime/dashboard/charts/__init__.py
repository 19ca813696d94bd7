"""Charts as Vega-Lite specifications, their theme and JavaScript, and maps as SVG."""
