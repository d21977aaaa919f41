use strict; use warnings;
my ($list, $from, $to) = @ARGV;
open my $in, '<', $list or die "$list: $!\n";
local $/ = "\0";
my @words = <$in>;
chomp @words;
while (@words) {
  my ($do, $what, $name) = splice @words, 0, 3;
  my $path = "$to/$name";
  if ($do eq 'x') { -d $path && !-l $path ? system('rm', '-rf', '--', $path) == 0 : unlink $path or die "$path: cannot be removed: $!\n" }
  elsif ($do eq 'd') { mkdir $path, 0700 or die "$path: $!\n" }
  elsif ($do eq 'f') { rename "$from/$name", $path or die "$path: $!\n" }
  elsif ($do eq 'l') { symlink $what, "$from/.link" and rename "$from/.link", $path or die "$path: $!\n" }
  elsif ($do eq 'm') { chmod oct $what, $path or die "$path: $!\n" }
}
