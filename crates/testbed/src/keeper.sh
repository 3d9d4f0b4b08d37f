# Keeps one cluster: $1 its directory, $2 the programs. It does what the lines of its input say and
# answers each with a status. When the input ends, because the test is done or was killed, the
# cluster goes.

home=$1 bin=$2 server= last=QUIT
cd "$home" || exit 1

begin() {
    "$bin/postgres" -D data "$@" >>log 2>&1 &
    server=$!
    # The first line of the file is the process, the eighth what it is at. An older file may be
    # there from a server that was killed.
    until [ "$(sed -n 1p data/postmaster.pid)" = "$server" ] &&
        sed -n 8p data/postmaster.pid | grep -qE '^(ready|standby)'; do
        if ! kill -0 "$server"; then
            wait "$server"
            server=
            tail -n 20 log
            return 1
        fi
        sleep 0.05
    done 2>/dev/null
}

# Starts the pooler $1 in the place of a server. A shell has what runs behind it ignore what a pooler
# does not ask for, and there is nothing in it to lose.
pool() {
    "$1" settings >>log 2>&1 &
    server=$! last=KILL
}

# Starts the program and arguments "$@" in the place of a server.
front() {
    "$@" >>log 2>&1 &
    server=$! last=TERM
}

runs() {
    kill -0 "$server"
}

end() {
    [ -n "$server" ] || return 0
    kill "-$1" "$server"
    wait "$server"
    server=
}

# As a machine that loses its power: no process of it does anything more. A postmaster that is
# stopped starts no others while they are counted.
crash() {
    [ -n "$server" ] || return 0
    kill -STOP "$server"
    children=$(ps -A -o ppid= -o pid= | awk -v parent="$server" '$1 == parent { print $2 }')
    # One that has ended since is as good as killed.
    kill -KILL $children "$server"
    wait "$server"
    server=
    for child in $children; do
        while state=$(ps -o stat= -p "$child") && [ "${state#Z}" = "$state" ]; do
            sleep 0.01
        done
    done
}

while IFS= read -r line; do
    { eval "$line"; } </dev/null >said 2>&1
    echo $?
done
end "$last"
cd /
rm -rf "$home"
