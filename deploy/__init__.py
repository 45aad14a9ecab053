"""Where: servers, schedules, profiles."""
