#!/usr/bin/env perl
# Perl's LWP::UserAgent: `usual` as it comes, `right` with a timeout and a loop.
#
# packages: libwww-perl (Debian)
use strict;
use warnings;
use FindBin;
use HTTP::Request;
use LWP::UserAgent;
require "$FindBin::Bin/work.pl";

our $right;
my $agent = LWP::UserAgent->new(keep_alive => 4, $right ? (timeout => 5) : ());

sub attempt {
    my ($method, $url, $fields, $content) = @_;
    my $answer = $agent->request(HTTP::Request->new($method, $url, [%$fields], $content));
    my %fields = map { lc $_ => scalar $answer->header($_) } $answer->header_field_names;
    # LWP makes an answer of its own, 500, when there is none, and keeps what came of one that broke off.
    my $broken = ($fields{'client-warning'} // '') eq 'Internal response' || defined $fields{'client-aborted'};
    if ($right && !$broken) {
        # Garbage before a status line passes for HTTP/0.9, and what is cut for what is whole.
        my $length = $fields{'content-length'};
        $broken = ($answer->protocol // '') eq 'HTTP/0.9'
            || (defined $length && $length != length $answer->content);
    }
    return { status => $right && $broken ? 0 : $answer->code, fields => \%fields, content => $answer->content };
}

work($right ? persist(\&attempt) : \&attempt, \&attempt);
