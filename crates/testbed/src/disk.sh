# Keeps a disk: an image of ext4, and where it is mounted. Runs the lines that it reads, and cleans up
# when there is nobody left to write any.
set -u
base=$1
size=$2
image=$base/image
mounted=$base/mounted

make() {
    truncate -s "$size" "$image" &&
        mkfs.ext4 -q -F -m 0 "$image" &&
        mkdir "$mounted" &&
        attach
}

attach() {
    mount -o loop "$image" "$mounted"
}

# What was killed a moment ago may be about to let go of it.
detach() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        umount "$mounted" && return 0
        sleep 0.1
    done
    return 1
}

while read -r line; do
    eval "$line" >"$base/said" 2>&1 </dev/null
    echo $?
done
umount -l "$mounted" 2>/dev/null
rm -rf "$base"
