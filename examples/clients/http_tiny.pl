#!/usr/bin/env perl
# Perl's HTTP::Tiny: `usual` as it comes, `right` with a shorter timeout and a loop.
#
# packages: perl, libwww-perl (Debian)
use strict;
use warnings;
use FindBin;
use HTTP::Tiny;
require "$FindBin::Bin/work.pl";

our $right;
my $agent = HTTP::Tiny->new($right ? (timeout => 5) : ());

sub attempt {
    my ($method, $url, $fields, $content) = @_;
    my $answer = $agent->request($method, $url, { headers => $fields, defined $content ? (content => $content) : () });
    # 599 is its own: there was no answer, or it broke off.
    my $status = $answer->{status} == 599 ? 0 : $answer->{status};
    return { status => $status, fields => $answer->{headers} // {}, content => $answer->{content} };
}

work($right ? persist(\&attempt) : \&attempt, \&attempt);
