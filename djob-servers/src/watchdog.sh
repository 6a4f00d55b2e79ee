# watchdog.sh OWNER FOLDER SIGNAL: when process OWNER is gone, ends what runs in FOLDER and removes it.
owner=$1 folder=$2 signal=$3

# A process whose parent never asks how it ended still answers kill -0: it is a zombie, and counts as gone.
alive() {
    kill -0 "$1" 2>/dev/null && ! grep -qs '^State:[[:space:]]*Z' "/proc/$1/status"
}

while [ -d "$folder" ] && alive "$owner"; do sleep 1; done

# The group, not only the process: initdb has children.
if pid=$(cat "$folder/pid" 2>/dev/null) && [ -n "$pid" ]; then
    kill -s "$signal" -- "-$pid" 2>/dev/null
    for second in 1 2 3 4 5; do alive "$pid" && sleep 1; done
    kill -s KILL -- "-$pid" 2>/dev/null
fi

rm -rf "$folder" 2>/dev/null || { sleep 1; rm -rf "$folder"; }
