# A plain HTTP/1.1 request: its head is in DIR/request, its body, if any, in DIR/body. The answer's head goes to DIR/head, its body to
# DIR/out; `STATUS 0 -` is printed.
use strict;
use IO::Socket::IP;
use IO::Socket::UNIX;
my ($dir, $host, $port, $timeout, $path, $follow) = @ARGV;
$SIG{PIPE} = 'IGNORE';
my $socket = $path ne ''
    ? IO::Socket::UNIX->new(Peer => $path)
    : IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Proto => 'tcp', Timeout => $timeout);
my $at = $path ne '' ? $path : "$host:$port";
$socket or die "cannot connect to $at: " . ($@ || $!) . "\n";
$socket->blocking(0);
sub ready {
    my ($writes) = @_;
    my $bits = '';
    vec($bits, fileno($socket), 1) = 1;
    my $count = $writes ? select(undef, $bits, undef, $timeout) : select($bits, undef, undef, $timeout);
    $count > 0 or die "$at did not answer within $timeout s\n";
}
sub put {
    my ($bytes) = @_;
    while (length $bytes) {
        ready(1);
        my $sent = syswrite $socket, $bytes;
        # A server may answer before it has read everything.
        if (!defined $sent) { next if $!{EAGAIN} || $!{EINTR}; return 0 }
        substr($bytes, 0, $sent) = '';
    }
    return 1;
}
my $buffer = '';
sub more {
    while (1) {
        ready(0);
        my $got = sysread $socket, $buffer, 65536, length $buffer;
        return $got if defined $got;
        next if $!{EAGAIN} || $!{EINTR};
        die "the connection to $at broke: $!\n";
    }
}
sub file {
    my ($name) = @_;
    open my $file, '<:raw', "$dir/$name" or return '';
    local $/;
    return scalar(<$file>) // '';
}
put(file('request')) && put(file('body'));
my ($head, $status);
while (1) {
    my $end;
    until (($end = index $buffer, "\r\n\r\n") >= 0) {
        length $buffer < 1048576 or die "the head of the answer of $at does not end\n";
        more() or die "$at closed the connection without an answer\n";
    }
    $head = substr $buffer, 0, $end + 4, '';
    $head =~ m{^HTTP/1\.[01] ([0-9]{3})} or die "$at does not answer in HTTP/1\n";
    $status = $1;
    last unless $status =~ /^1/ && $status != 101;
}
open my $heads, '>:raw', "$dir/head" or die "$dir/head: $!\n";
print $heads $head;
close $heads or die "$dir/head: $!\n";
my ($location) = $head =~ /^location:[ \t]*(.*?)[ \t]*\r$/im;
if ($follow eq 'follow' && defined $location && $status =~ /^30[12378]$/) {
    die "$at redirects to $location; following it needs curl: install the package `curl`, or set `follow_redirects: none`\n";
}
open my $out, '>:raw', "$dir/out" or die "$dir/out: $!\n";
sub keep { print $out $_[0] or die "$dir/out: $!\n" }
sub take {
    my ($length) = @_;
    while ($length > 0) {
        if (length $buffer == 0) { more() or die "$at closed the connection in the middle of the answer\n" }
        my $piece = substr $buffer, 0, $length, '';
        $length -= length $piece;
        keep($piece);
    }
}
sub line {
    my $end;
    while (($end = index $buffer, "\n") < 0) {
        length $buffer < 65536 && more() or die "$at closed the connection in the middle of the answer\n";
    }
    my $line = substr $buffer, 0, $end + 1, '';
    $line =~ s/\r?\n$//;
    return $line;
}
my ($length) = $head =~ /^content-length:[ \t]*([0-9]+)[ \t]*\r$/im;
if (file('request') =~ /^HEAD / || $status == 204 || $status == 304) {
} elsif ($head =~ /^transfer-encoding:.*\bchunked[ \t]*\r$/im) {
    while (1) {
        line() =~ /^([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?$/ or die "$at sends a broken answer\n";
        my $size = hex $1;
        last if $size == 0;
        take($size);
        line() eq '' or die "$at sends a broken answer\n";
    }
} elsif (defined $length) {
    take($length);
} else {
    do { keep($buffer); $buffer = '' } while more();
}
close $out or die "$dir/out: $!\n";
print "$status 0 -\n";
