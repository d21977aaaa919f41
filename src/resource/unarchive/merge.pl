use strict; use warnings;
my ($from, $to, $newer, $list) = @ARGV;
binmode STDOUT;
my %listed;
open my $names, '<', $list or die "$list: $!";
while (<$names>) { chomp; s{^(?:\./)+}{}; s{^/+}{}; s{/+}{/}g; $listed{"/$_"} = 1 if s{/$}{} }
close $names;
sub fail { print STDERR "$_[0]\n"; exit 1 }
sub real { open my $h, '-|', 'realpath', '-z', '--', $_[0] or fail("$_[0]: $!"); local $/; my $path = <$h>; $path =~ s/\0\z//; $path }
my $root = real($to); $root = '' if $root eq '/';
sub merge {
  my ($name) = @_;
  opendir my $h, "$from$name" or fail("$from$name: $!");
  my @all = sort grep { $_ ne '.' && $_ ne '..' } readdir $h;
  closedir $h;
  for my $one (@all) {
    my $path = "$name/$one";
    my ($new, $old) = ("$from$path", "$to$path");
    my @new = lstat $new;
    if (!-d _) {
      fail("$old is a folder, and no folder in the archive") if -d $old && !-l $old;
      my @old = lstat $old;
      unless ($newer && @old && $old[9] >= $new[9]) {
        rename $new, $old or system('mv', '-fT', '--', $new, $old) == 0 or fail("$old: $!");
      }
      print ".$path\0";
      next;
    }
    my $link = -l $old;
    my $there = -d $old;
    if ($there) {
      fail("$old is a link that leads out of $to") if $link && index(real($old) . '/', "$root/") != 0;
    } else {
      unlink $old or fail("$old: $!") if lstat $old;
      mkdir $old, 0700 or fail("$old: $!");
    }
    chmod 0700 | ($new[2] & 07777), $new;
    print ".$path\0";
    merge($path);
    next if $link || ($there && !$listed{$path});
    my @old = lstat $old;
    if ($> == 0 && ($old[4] != $new[4] || $old[5] != $new[5])) { chown $new[4], $new[5], $old or fail("$old: $!") }
    chmod $new[2] & 07777, $old or $old[2] == $new[2] or fail("$old: $!");
    utime $new[8], $new[9], $old;
  }
}
merge('');
close STDOUT or fail($!);
