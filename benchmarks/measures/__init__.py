"""What is measured: each measure drives fresh processes on a fresh store and checks that the work was done."""
