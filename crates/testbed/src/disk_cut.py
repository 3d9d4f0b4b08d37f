# Waits for a line, and has the file system at argv[1] shut down as if its power was cut: nothing that is
# not on the disk gets there, not even what is in the journal. From then on all of it fails with EIO.
import fcntl, os, struct, sys

EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2

disk = os.open(sys.argv[1], os.O_RDONLY)
print("ready", flush=True)
if sys.stdin.readline():
    fcntl.ioctl(disk, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    print("cut", flush=True)
