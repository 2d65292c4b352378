"""What every route uses: dependencies, bodies, throttle, language, schemas, page templates."""
