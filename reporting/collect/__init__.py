"""An index operator's side: a verified copy of many cities' feeds."""
