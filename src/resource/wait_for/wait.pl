# Waits as its arguments say, and prints `elapsed S`, the groups of the match in hex, and on a timeout `error WORDS`.
use strict;
use IO::Socket::IP;
use Socket qw(getaddrinfo inet_pton AF_INET AF_INET6);
my ($state, $host, $port, $path, $timeout, $delay, $pause, $connect, $regex, $excluded, $states) = @ARGV;
$SIG{PIPE} = 'IGNORE';
my $begun = time;
my $last = $begun + $timeout;
my $match = $regex eq '' ? undef : qr/$regex/m;
my $at = $path ne '' ? $path : "$host:$port";
sub nap { select undef, undef, undef, $_[0] }
sub leave {
    my ($error) = @_;
    printf "elapsed %d\n", time - $begun;
    print "error $error\n" if defined $error;
    exit(defined $error ? 1 : 0);
}
sub matches {
    return 0 unless $_[0] =~ $match;
    for my $n (1 .. $#+) {
        print 'group ', defined $-[$n] ? 'x' . unpack('H*', substr $_[0], $-[$n], $+[$n] - $-[$n]) : '-', "\n";
    }
    for my $name (sort keys %-) {
        my $value = $+{$name};
        print "name $name ", defined $value ? 'x' . unpack('H*', $value) : '-', "\n";
    }
    return 1;
}
sub patience { my $left = $last - time; $left < 1 ? 1 : $left < $connect ? $left : $connect }
sub open_port {
    return IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Proto => 'tcp', Timeout => patience());
}
sub there {
    if ($path ne '') {
        return 0 unless -e $path;
        return 1 unless $match;
        open my $file, '<:raw', $path or return 0;
        local $/;
        my $text = <$file>;
        return defined $text && matches($text);
    }
    my $socket = open_port() or return 0;
    return 1 unless $match;
    my $text = '';
    while (time < $last) {
        my $bits = '';
        vec($bits, fileno($socket), 1) = 1;
        select($bits, undef, undef, patience()) > 0 or return 0;
        sysread $socket, $text, 1024, length $text or return 0;
        return 1 if matches($text);
    }
    return 0;
}
# Addresses as /proc/net writes them: each four bytes in the machine's order.
sub written {
    my ($family, $packed) = @_;
    return join '', map { sprintf '%08X', $_ } unpack 'L*', $packed;
}
sub addresses {
    my %found;
    for my $name (@_) {
        my ($error, @results) = getaddrinfo($name, undef, { socktype => Socket::SOCK_STREAM() });
        die "cannot resolve $name: $error\n" if $error;
        for my $result (@results) {
            if ($result->{family} == AF_INET) {
                my (undef, $packed) = Socket::unpack_sockaddr_in($result->{addr});
                $found{written(AF_INET, $packed)} = 1;
                # The same seen through a socket of version 6.
                $found{written(AF_INET6, inet_pton(AF_INET6, '::ffff:0.0.0.0') | ("\0" x 12 . $packed))} = 1;
            } elsif ($result->{family} == AF_INET6) {
                my (undef, $packed) = Socket::unpack_sockaddr_in6($result->{addr});
                $found{written(AF_INET6, $packed)} = 1;
            }
        }
    }
    return \%found;
}
my ($own, $others);
if ($state eq 'drained') {
    $own = addresses($host);
    $others = addresses(split /,/, $excluded);
}
sub connections {
    my %number = (ESTABLISHED => '01', SYN_SENT => '02', SYN_RECV => '03', FIN_WAIT1 => '04', FIN_WAIT2 => '05', TIME_WAIT => '06');
    my %active = map { $number{$_} => 1 } split /,/, $states;
    my $all = $host eq '0.0.0.0' || $host eq '::';
    my $count = 0;
    for my $table ('/proc/net/tcp', '/proc/net/tcp6') {
        open my $lines, '<', $table or next;
        while (<$lines>) {
            my (undef, $local, $remote, $how) = split;
            my ($address, $number) = split /:/, $local;
            next unless defined $number && $number =~ /^[0-9A-F]{4}$/ && hex $number == $port && $active{$how};
            next unless $all || $own->{$address};
            my ($other) = split /:/, $remote;
            $count++ unless $others->{$other};
        }
    }
    return $count;
}
nap($delay) if $delay > 0;
if ($path eq '' && $port eq '') {
    nap($timeout);
    leave();
}
while (1) {
    my $done = $state eq 'drained' ? connections() == 0
        : $state eq 'stopped' || $state eq 'absent' ? !($path ne '' ? -e $path : open_port())
        : there();
    leave() if $done;
    last if time >= $last;
    nap($pause);
    last if time >= $last;
}
leave($state eq 'drained' ? "Timeout when waiting for $at to drain"
    : $state eq 'stopped' || $state eq 'absent'
    ? "Timeout when waiting for $at to " . ($path ne '' ? 'be absent.' : 'stop.')
    : $match ? "Timeout when waiting for search string $regex in $at"
    : 'Timeout when waiting for ' . ($path ne '' ? 'file ' : '') . $at);
