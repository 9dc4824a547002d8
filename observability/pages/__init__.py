"""The pages on which a migration is run: plain ES modules over the JSON API, served without a build step."""
