#!/bin/busybox sh
# The first process of the guest: prepares it, runs /armprof/script and sends what it left in $ARMPROF_OUT over the
# console, between markers that tests/guest/machine.py looks for.
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /var/tmp /armprof/out /armprof/busybox
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mkdir -p /dev/shm
/bin/busybox mount -t tmpfs shm /dev/shm
/bin/busybox --install -s /armprof/busybox
export PATH=/armprof/bin:/usr/sbin:/usr/bin:/sbin:/bin:/armprof/busybox
export HOME=/root LC_ALL=C.UTF-8 ARMPROF_OUT=/armprof/out ARMPROF_HARDWARE=1
export PYTHONPATH=/armprof/site:/usr/lib/armprof/site PYTHONDONTWRITEBYTECODE=1
mkdir -p /root
ln -s /proc/self/fd /dev/fd
stty -F /dev/console -onlcr
echo 1 > /proc/sys/kernel/printk
ip link set lo up 2> /dev/null

while read -r name value; do
    echo "$value" > "/proc/sys/$name" || echo "cannot set $name to $value"
done < /armprof/sysctl

cd /armprof
echo "<<<armprof start>>>"
sh /armprof/script
status=$?
cd "$ARMPROF_OUT"
find . -type f | while read -r name; do
    echo "<<<armprof file ${name#./}>>>"
    gzip -c "$name" | base64
    echo "<<<armprof end>>>"
done
echo "<<<armprof exit $status>>>"
poweroff -f
