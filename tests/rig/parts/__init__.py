"""What the rig's commands are made of. Standard library only: the rig must run on a machine that has nothing but Python."""
