"""KPIs by Sustainable Development Goal."""
