"""What every feature needs of the open project: state, scene, pool, decisions."""
