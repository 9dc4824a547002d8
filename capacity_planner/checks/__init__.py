"""Rules over an inventory: what AWS would refuse, what two teams gave out twice, and which quota is near."""
