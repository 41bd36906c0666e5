# The same morning's work for every Perl stack: only how the calls are made is the stack's own.
#
# No stack by itself: the other files load it. A stack calls work(SEND, PUT) with functions that take
# (METHOD, URL, FIELDS, CONTENT) and return { status, fields, content }: status 0 for no answer, names
# of fields in lower case.
use strict;
use warnings;
use HTTP::Date ();
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

our $right = (@ARGV && $ARGV[0] eq 'right');
my %transient = map { $_ => 1 } (0, 429, 500, 502, 503, 504);
my $attempts = 6;
my $api = "$ENV{QUBS_BASE_URL}/integrations/v1/$ENV{QUBS_DOMAIN}";
my $pdf = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%%EOF\n";
my ($send, $put, $token);
my $unfinished = 0;

sub uuid { open my $file, '<', '/proc/sys/kernel/random/uuid' or die; chomp(my $id = <$file>); $id }

sub encode { my $text = shift; $text =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge; $text }

# The seconds before the attempt behind $attempt (0, 1, ...): as told, else doubling with jitter.
sub pause {
    my ($attempt, $fields) = @_;
    my $told = $fields->{'retry-after'};
    return 0.2 * 2**$attempt * (0.75 + rand 0.5) unless defined $told;
    return $told if $told =~ /^\d+$/;
    my $seconds = HTTP::Date::str2time($told) - HTTP::Date::str2time($fields->{date});
    return $seconds > 0 ? $seconds : 0;
}

# A function that repeats what may pass by itself.
sub persist {
    my $once = shift;
    return sub {
        for my $attempt (0 .. $attempts - 1) {
            my $answer = $once->(@_);
            return $answer if !$transient{ $answer->{status} } || $attempt == $attempts - 1;
            Time::HiRes::sleep(pause($attempt, $answer->{fields}));
        }
    };
}

sub get_token {
    my $form = join '&', 'grant_type=client_credentials',
        'client_id=' . encode($ENV{QUBS_CLIENT_ID}), 'client_secret=' . encode($ENV{QUBS_CLIENT_SECRET});
    my $answer = $send->('POST', $ENV{QUBS_TOKEN_URL}, { 'Content-Type' => 'application/x-www-form-urlencoded' }, $form);
    die "status $answer->{status}\n" unless $answer->{status} == 200;
    $token = JSON::PP::decode_json($answer->{content})->{access_token};
}

sub call {
    my ($method, $path, $body) = @_;
    # The key and the octets are made once: whoever repeats the request cannot change them.
    my $content = defined $body ? JSON::PP::encode_json($body) : undef;
    my %fields = ('Accept' => 'application/json', 'X-Correlation-Id' => uuid());
    %fields = (%fields, 'Content-Type' => 'application/json', 'Idempotency-Key' => uuid()) if defined $body;
    my $with_token = sub { $send->($method, "$api/$path", { %fields, Authorization => "Bearer $token" }, $content) };
    my $answer = $with_token->();
    if ($answer->{status} == 401 && $right) {
        get_token();
        $answer = $with_token->();
    }
    die "status $answer->{status}\n" unless $answer->{status} == 200 || $answer->{status} == 201;
    return JSON::PP::decode_json($answer->{content});
}

sub read_pages {
    my $following = '';
    while (defined $following) {
        my $next = call('GET', "reporting/appointments/pending?pageSize=25$following")->{nextToken};
        # The documentation says "empty or omitted": many know one of the two alone.
        $next = undef if $right && defined $next && $next eq '';
        $following = defined $next ? '&nextToken=' . encode($next) : undef;
    }
}

sub read_stretches {
    my ($from, $to) = map { POSIX::strftime('%Y-%m-%d', localtime(time + $_ * 86_400)) } (-7, 7);
    for (my ($skip, $count) = (0, 100); $count == 100; $skip += $count) {
        $count = @{ call('GET', "appointments?startDate=$from&endDate=$to&skip=$skip&take=100") };
    }
}

sub upload {
    my @items = ({ fileName => 'report.pdf', contentType => 'application/pdf' });
    for my $attempt (0 .. ($right ? $attempts - 1 : 0)) {
        # A new URL, with a new key, each time: no file is put twice to the same one.
        my $urls = call('POST', 'reporting/appointments/A123456/report/attachments', { items => \@items });
        my $answer = $put->('PUT', $urls->{items}[0]{uploadUrl}, { 'Content-Type' => 'application/pdf' }, $pdf);
        return if $answer->{status} == 200;
        Time::HiRes::sleep(pause($attempt, {})) if $right;
    }
    die "the file was not stored\n";
}

# Takes a step; what fails for good is told and passed over, as a nightly job would.
sub step {
    my ($name, $action) = @_;
    return 1 if eval { $action->(); 1 };
    print STDERR "$name: $@";
    $unfinished = 1;
    return 0;
}

# Does the work and exits: 0 when all of it is done, else 1.
sub work {
    ($send, $put) = @_;
    if (step('token', \&get_token)) {
        step('sites', sub { call('GET', 'sites') });
        step('exam codes', sub { call('GET', 'sites/Central%20Clinic/exam-codes') });
        step('pending', \&read_pages);
        step('appointments', \&read_stretches);
        for my $path (qw(reporting/appointments/A123456 appointments/A123456 appointments/operational/by-id/A123456)) {
            step($path, sub { call('GET', $path) });
        }
        step('comment', sub {
            call('POST', 'reporting/appointments/A123456/comments', { commentText => 'Images received.' });
        });
        if (step('upload', \&upload)) {
            my $report = { reportText => 'No acute abnormality detected.', reportStatus => 'final' };
            step('report', sub { call('POST', 'reporting/appointments/A123456/report', $report) });
        }
    }
    exit $unfinished;
}

1;
