"""Jobs in, results out: feeder, workers, attempts, retries and stopping."""
